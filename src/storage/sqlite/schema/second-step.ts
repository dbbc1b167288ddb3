/** The second step of staff sign-in, and sessions that still wait for it; what the audit log says of one subject. */
export const secondStepSchema = `
  ALTER TABLE staff ADD COLUMN totp TEXT;
  ALTER TABLE staff ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE staff ADD COLUMN recovery TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE staff_sessions ADD COLUMN stage TEXT NOT NULL DEFAULT 'in';
  CREATE INDEX audit_by_subject ON audit (subject, n);
`;
