/** Clicks of which it is not clear yet whether a person's they are; profiles learn of them then. */
export const clicksToJudgeSchema = `
CREATE TABLE clicks_to_judge (
  id TEXT PRIMARY KEY,
  message TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX clicks_to_judge_by_time ON clicks_to_judge (at, id);
`;
