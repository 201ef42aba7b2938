"""Settings: the environment read once into one frozen value. The only reader of ``os.environ``."""

from stream.settings.environment import DEFAULTS, LOG_LEVELS, Settings, load_settings
from stream.settings.kafka import KafkaClientOptions, KafkaConnection
from stream.settings.reader import SettingError
from stream.settings.redis import RedisClientOptions, RedisConnection
from stream.settings.secret import Secret

__all__ = [
    "DEFAULTS",
    "LOG_LEVELS",
    "KafkaClientOptions",
    "KafkaConnection",
    "RedisClientOptions",
    "RedisConnection",
    "Secret",
    "SettingError",
    "Settings",
    "load_settings",
]
