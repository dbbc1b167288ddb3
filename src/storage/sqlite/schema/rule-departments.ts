/** Whose a rule is: the departments of who wrote it first; none: the whole office's. */
export const ruleDepartmentsSchema = "ALTER TABLE rules ADD COLUMN departments TEXT NOT NULL DEFAULT '[]';";
