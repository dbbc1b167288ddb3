/** The local hour of a person's digests; null: the usual one. */
export const digestHourSchema =
  'ALTER TABLE subscribers ADD COLUMN digest_hour INTEGER CHECK (digest_hour BETWEEN 0 AND 23);';
