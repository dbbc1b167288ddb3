/** Since when the provider may hold a post without our having heard; and posts by the provider's ids of them. */
export const postDoubtsSchema = `
ALTER TABLE posts ADD COLUMN doubt_since INTEGER;
CREATE INDEX posts_by_reference ON posts (reference) WHERE reference IS NOT NULL;
`;
