/**
 * Rows that wait for a digest are found by their moment and then by person, apart from what is due in its push's lane;
 * `messages.holder` is the batch that sends or has sent a digest. The numbers are codes of states: 4 digested, 5 deferred.
 */
export const digestsSchema = `
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (push, due_at) WHERE state = 5 AND due_at IS NOT NULL;
CREATE INDEX deliveries_digested ON deliveries (due_at, ordinal) WHERE state = 4 AND due_at IS NOT NULL;
CREATE INDEX deliveries_digested_of_person ON deliveries (ordinal) WHERE state = 4;
CREATE INDEX deliveries_of_digest ON deliveries (message) WHERE message >= 'digest-' AND message < 'digest.';
ALTER TABLE messages ADD COLUMN holder TEXT;
`;
