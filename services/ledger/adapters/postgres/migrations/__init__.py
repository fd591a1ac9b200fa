"""The schema `ledger`, step by step: `NNNN_name.sql`. A released file never changes; `migrator` refuses one that did."""
