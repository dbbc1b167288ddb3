/** Tables of subscriptions; part of the first migration. */
export const subscriptionsSchema = `
`;
