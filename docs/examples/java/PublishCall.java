// Says in Java that a call was recorded: Kafka's client and Avro, nothing of ours. With a schema registry or without.
//   mvn dependency:copy-dependencies -DoutputDirectory=lib
//   java -cp "lib/*" PublishCall.java kafka:9092 schemas/call_recorded/v1.avsc acme pbx-184 acme-calls 2026/11/23/184.wav
import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class PublishCall {
    private static final UUID JOBS = UUID.fromString("8c0a6a0e-2f57-5b0c-9f0d-6f2f0a3f4d61");

    public static void main(String[] args) throws Exception {
        String servers = args[0], clientId = args[2], callId = args[3], bucket = args[4], key = args[5];
        Schema schema = new Schema.Parser().parse(new File(args[1]));
        // Keep the id with the call: whoever is not sure that an event arrived sends it again with the same id.
        String eventId = args.length > 6 ? args[6] : UUID.randomUUID().toString();

        GenericRecord audio = new GenericRecordBuilder(schema.getField("audio").schema())
            .set("bucket", bucket).set("key", key).build();
        GenericRecord event = new GenericRecordBuilder(schema) // what is not set has the schema's default
            .set("event_id", eventId).set("client_id", clientId).set("call_id", callId)
            .set("recorded_at", ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now()))
            .set("audio", audio)
            .set("channel_roles", Arrays.asList("operator", "customer"))
            .build();
        ByteBuffer value = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema).encode(event);

        Map<String, Object> settings = Map.of("bootstrap.servers", servers, "acks", "all");
        try (var producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("call.recorded", callId, value.array())).get();
        }
        System.out.println("event " + eventId + " asks for job " + uuid5(uuid5(JOBS, clientId), eventId));
    }

    /** RFC 9562: Java brings only version 3 (MD5). */
    private static UUID uuid5(UUID namespace, String name) throws Exception {
        ByteBuffer space = ByteBuffer.allocate(16).putLong(namespace.getMostSignificantBits())
            .putLong(namespace.getLeastSignificantBits());
        MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
        sha1.update(space.array());
        ByteBuffer hash = ByteBuffer.wrap(sha1.digest(name.getBytes(StandardCharsets.UTF_8)));
        long high = hash.getLong() & 0xffffffffffff0fffL | 0x5000L;
        long low = hash.getLong() & 0x3fffffffffffffffL | 0x8000000000000000L;
        return new UUID(high, low);
    }
}
