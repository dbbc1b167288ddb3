/** Tables of catalogue; part of the first migration. */
export const catalogueSchema = `
`;
