/**
 * Pushes whose rows are folded or being folded (`done` 0). `messages.kept`: pushes and places of sources that a message was
 * sent for, once its rows are gone.
 */
export const pushFoldsSchema = `
CREATE TABLE push_folds (
  push INTEGER PRIMARY KEY,
  done INTEGER NOT NULL
) STRICT;
CREATE INDEX pushes_over ON pushes (created_at, no) WHERE finished_at IS NOT NULL;
ALTER TABLE messages ADD COLUMN kept TEXT;
`;
