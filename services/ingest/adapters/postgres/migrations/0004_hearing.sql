-- How a submission is to be heard. The defaults are what the release before does.

ALTER TABLE ingest.submissions
    ADD COLUMN languages   text[] NOT NULL DEFAULT '{}',  -- to choose among by ear; empty: the language is fixed
    ADD COLUMN glossary_id text;
