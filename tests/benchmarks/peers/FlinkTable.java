import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.accumulators.LongCounter;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * Flink's DataStream API in one process: keyed state in RocksDB, incremental checkpoints.
 *
 * <p>FlinkTable BROKER TOPIC EVENTS GROUP FOLDER
 */
public final class FlinkTable {
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Order {
        public String type;
        public String customer_id;
        public String occurred_at;
        public String amount;
    }

    /** What is kept of a customer; revenue in hundredths. */
    public static final class Customer {
        public String first;
        public String last;
        public long orders;
        public long revenue;
    }

    public static final class Decode extends AbstractDeserializationSchema<Order> {
        private static volatile boolean started;
        private transient ObjectMapper mapper;

        @Override
        public void open(InitializationContext context) {
            mapper = new ObjectMapper();
        }

        @Override
        public Order deserialize(byte[] value) throws IOException {
            if (!started) {
                started = true;
                say("first");
            }
            return mapper.readValue(value, Order.class);
        }
    }

    /** The counters only tell at the end what was counted: a checkpoint is not easily read. */
    public static final class Count extends KeyedProcessFunction<String, Order, Customer> {
        private transient ValueState<Customer> state;
        private final LongCounter customers = new LongCounter();
        private final LongCounter orders = new LongCounter();
        private final LongCounter revenue = new LongCounter();

        @Override
        public void open(OpenContext context) {
            state = getRuntimeContext()
                    .getState(new ValueStateDescriptor<>("customer", Customer.class));
            getRuntimeContext().addAccumulator("customers", customers);
            getRuntimeContext().addAccumulator("orders", orders);
            getRuntimeContext().addAccumulator("revenue", revenue);
        }

        @Override
        public void processElement(Order order, Context context, Collector<Customer> out)
                throws IOException {
            Customer customer = state.value();
            String when = order.occurred_at;
            if (customer == null) {
                customer = new Customer();
                customer.first = customer.last = when;
                customers.add(1);
            }
            customer.first = when.compareTo(customer.first) < 0 ? when : customer.first;
            customer.last = when.compareTo(customer.last) > 0 ? when : customer.last;
            long amount = Math.round(Double.parseDouble(order.amount) * 100);
            customer.orders++;
            customer.revenue += amount;
            orders.add(1);
            revenue.add(amount);
            state.update(customer);
            out.collect(customer);
        }
    }

    private static void say(String what) {
        System.out.printf("bench: %s %.3f%n", what, System.currentTimeMillis() / 1000.0);
        System.out.flush();
    }

    public static void main(String[] args) throws Exception {
        Configuration settings = new Configuration();
        settings.setString("state.backend.type", "rocksdb");
        settings.setString("execution.checkpointing.interval", "3 s");
        settings.setString("execution.checkpointing.incremental", "true");
        settings.setString("execution.checkpointing.dir", "file://" + args[4]);
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.createLocalEnvironment(
                        Runtime.getRuntime().availableProcessors(), settings);
        environment.getConfig().enableObjectReuse();
        KafkaSource<Order> source =
                KafkaSource.<Order>builder()
                        .setBootstrapServers(args[0])
                        .setTopics(args[1])
                        .setGroupId(args[3])
                        .setStartingOffsets(OffsetsInitializer.earliest())
                        .setBounded(OffsetsInitializer.latest())
                        .setValueOnlyDeserializer(new Decode())
                        .build();
        environment
                .fromSource(source, WatermarkStrategy.noWatermarks(), "orders")
                .filter(order -> order.type.equals("purchase"))
                .keyBy(order -> order.customer_id)
                .process(new Count())
                .sinkTo(new DiscardingSink<>());
        JobExecutionResult result = environment.execute();
        say("done");
        System.out.printf(
                "bench: totals %s %s %s%n",
                result.getAccumulatorResult("customers").toString(),
                result.getAccumulatorResult("orders").toString(),
                result.getAccumulatorResult("revenue").toString());
    }
}
