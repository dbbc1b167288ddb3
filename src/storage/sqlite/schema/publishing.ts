/** Tables of publishing; part of the first migration. */
export const publishingSchema = `
`;
