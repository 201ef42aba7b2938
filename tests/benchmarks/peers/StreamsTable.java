import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams as its documentation writes an aggregation: RocksDB, a changelog topic.
 *
 * <p>StreamsTable BROKER TOPIC EVENTS GROUP FOLDER at_least_once|exactly_once_v2
 */
public final class StreamsTable {
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Order {
        public String type;
        public String occurred_at;
        public String amount;
    }

    /** What is kept of a customer; revenue in hundredths. */
    public static final class Customer {
        public String first;
        public String last;
        public long orders;
        public long revenue;

        Customer with(Order order) {
            String when = order.occurred_at;
            first = first == null || when.compareTo(first) < 0 ? when : first;
            last = last == null || when.compareTo(last) > 0 ? when : last;
            orders++;
            revenue += Math.round(Double.parseDouble(order.amount) * 100);
            return this;
        }
    }

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static <T> Serde<T> json(Class<T> type) {
        Serializer<T> serializer = (topic, value) -> {
            try {
                return value == null ? null : MAPPER.writeValueAsBytes(value);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        Deserializer<T> deserializer = (topic, bytes) -> {
            try {
                return bytes == null ? null : MAPPER.readValue(bytes, type);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        };
        return Serdes.serdeFrom(serializer, deserializer);
    }

    private static void say(String what) {
        System.out.printf("bench: %s %.3f%n", what, System.currentTimeMillis() / 1000.0);
        System.out.flush();
    }

    public static void main(String[] args) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, args[3]);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, args[4]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, args[5]);
        settings.put(
                StreamsConfig.NUM_STREAM_THREADS_CONFIG, Runtime.getRuntime().availableProcessors());
        // A static member, so that a restart need not wait until the session before it is over.
        settings.put(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, "the-only-one");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        long events = Long.parseLong(args[2]);
        AtomicLong seen = new AtomicLong();
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(args[1], Consumed.with(Serdes.String(), json(Order.class)))
                .peek((key, order) -> {
                    if (seen.getAndIncrement() == 0) {
                        say("first");
                    }
                })
                .filter((key, order) -> order.type.equals("purchase"))
                .groupByKey(Grouped.with(Serdes.String(), json(Order.class)))
                .aggregate(
                        Customer::new,
                        (key, order, customer) -> customer.with(order),
                        Materialized.<String, Customer>as(
                                        Stores
                                                .persistentKeyValueStore("customers"))
                                .withKeySerde(Serdes.String())
                                .withValueSerde(json(Customer.class)));

        KafkaStreams streams =
                new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
        while (seen.get() < events) {
            try {
                Thread.sleep(10);
            } catch (InterruptedException error) {
                return;
            }
        }
        say("last");
    }
}
