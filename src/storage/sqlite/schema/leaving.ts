/** When somebody who asked to be forgotten is to be erased. */
export const leavingSchema = `
ALTER TABLE subscribers ADD COLUMN leaves_at INTEGER;
CREATE INDEX subscribers_leaving ON subscribers (leaves_at) WHERE leaves_at IS NOT NULL;
`;
