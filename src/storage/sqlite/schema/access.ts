/** Tables of access; part of the first migration. */
export const accessSchema = `
`;
