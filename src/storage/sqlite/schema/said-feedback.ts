/** What people wrote, and complaints, are few among all that is clicked: the office reads them by themselves. */
export const saidFeedbackSchema = `
CREATE INDEX feedback_said ON feedback (at, id) WHERE machine IS NULL AND (comment IS NOT NULL OR kind = 'complaint');
`;
