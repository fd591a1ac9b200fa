"""Kafka by confluent-kafka (librdkafka). Its errors become ours here."""

from __future__ import annotations

from pipeline.stream.kafka.consumer import KafkaConsumer
from pipeline.stream.kafka.log_reader import KafkaLogReader
from pipeline.stream.kafka.producer import KafkaProducer
from pipeline.stream.kafka.scanner import KafkaScanner
from pipeline.stream.kafka.shares import EvenConsumer

__all__ = ["EvenConsumer", "KafkaConsumer", "KafkaLogReader", "KafkaProducer", "KafkaScanner"]
