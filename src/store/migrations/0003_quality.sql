-- How it sounded: what the other side reports, and an estimate of the mean opinion.
ALTER TABLE records ADD COLUMN packets_lost_outward INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN round_trip_us INTEGER;
ALTER TABLE records ADD COLUMN score INTEGER;  -- hundredths
ALTER TABLE records ADD COLUMN listener_quality TEXT;  -- JSON
