-- The line that was dialled, where another one served the call in its place.
ALTER TABLE records ADD COLUMN origin TEXT;
