// Reads events in JavaScript: kafkajs and its client of the schema registry, nothing of ours.
//   npm install && node read_events.js localhost:9092 http://localhost:8081 transcript.ready
import { Kafka, logLevel } from "kafkajs";
import { SchemaRegistry } from "@kafkajs/confluent-schema-registry";

const [brokers, host, topic, group = "example-js", quietMs = "5000"] = process.argv.slice(2);
const registry = new SchemaRegistry({ host });
const consumer = new Kafka({ clientId: "example", brokers: brokers.split(","), logLevel: logLevel.ERROR }).consumer({ groupId: group });

const stop = async () => {
  await consumer.disconnect();
  process.exit(0);
};
let timer = setTimeout(stop, Number(quietMs) + 15000); // the first record may have to wait for the group

await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  eachMessage: async ({ message }) => {
    clearTimeout(timer);
    const event = await registry.decode(message.value);
    const schema = message.headers["razgovor.schema"].toString();
    console.log(`${message.key} ${schema} ${JSON.stringify(event)}`);
    timer = setTimeout(stop, Number(quietMs));
  },
});
