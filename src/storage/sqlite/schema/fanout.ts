/** Tables of fanout; part of the first migration. */
export const fanoutSchema = `
`;
