/** Since when a gathered batch waits; null: since its push was made. */
export const batchSinceSchema = 'ALTER TABLE batches ADD COLUMN since INTEGER;';
