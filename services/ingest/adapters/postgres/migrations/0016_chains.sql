-- The parts of a transferred call, which are found by what they have in common: `chain_id` of the metadata.

-- A column, and not an index over the expression: row-level security lets no index be asked by a function that might leak,
-- as `->>` might. The table is written anew, some seconds for a million jobs, in which nothing is accepted.
ALTER TABLE ingest.submissions
    ADD COLUMN chain_id text COLLATE "C" GENERATED ALWAYS AS (nullif(metadata ->> 'chain_id', '')) STORED;
CREATE INDEX submissions_by_chain ON ingest.submissions (client_id, chain_id) WHERE chain_id IS NOT NULL;
