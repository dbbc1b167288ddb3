/** What an API key may do (api: scope). `admin` holds all. */
export const scopes = ['publish', 'analyse', 'events', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export const roles = ['publisher', 'reviewer', 'analyst', 'admin'] as const;
export type Role = (typeof roles)[number];

export type Staff = {
  id: string;
  email: string;
  name: string;
  roles: Role[];
  departments: string[];
  createdAt: number;
};

/** An API key as kept: the hash of its secret, never the secret. */
export type ApiKey = {
  id: string;
  hash: string;
  staff: string;
  scopes: Scope[];
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
};

/** One line of the audit log; `hash` covers the entry and the hash before it, so that a change breaks the chain. */
export type AuditEntry = {
  n: number;
  at: number;
  actor: string;
  action: string;
  subject: string | null;
  details: string;
  hash: string;
};

/** A POST that was made under an Idempotency-Key, by key and route. */
export type IdempotentCall =
  | { state: 'running'; bodyHash: string; startedAt: number }
  | { state: 'done'; bodyHash: string; status: number; body: string };

export type AccessStore = {
  /** Stores a staff account; throws AppError `conflict` when the email is taken. */
  insertStaff(staff: Staff): Promise<void>;
  staff(id: string): Promise<Staff | null>;
  /** Every account, by email. */
  allStaff(): Promise<Staff[]>;
  /** Changes what an account is called and may do; answers false for an unknown one. */
  changeStaff(id: string, to: Pick<Staff, 'name' | 'roles' | 'departments'>): Promise<boolean>;
  /** Stores a key; throws AppError `conflict` when the id is taken. */
  insertKey(key: ApiKey): Promise<void>;
  key(id: string): Promise<ApiKey | null>;
  /** Every key, newest first, revoked ones too. */
  allKeys(): Promise<ApiKey[]>;
  /** Answers false when the key is unknown or already revoked. */
  revokeKey(id: string, at: number): Promise<boolean>;

  /** Appends with n = last + 1; `hashOf` is given n and the hash before. Retries on a clash. */
  appendAudit(
    entry: Omit<AuditEntry, 'n' | 'hash'>,
    hashOf: (n: number, before: string) => string,
  ): Promise<AuditEntry>;
  /** Entries from n on, ascending. */
  audit(from: number, limit: number): Promise<AuditEntry[]>;
  /** Entries before n (null: the newest), descending. */
  auditBefore(n: number | null, limit: number): Promise<AuditEntry[]>;
  /** What the log says of one subject, ascending. */
  auditOf(subject: string): Promise<AuditEntry[]>;

  /**
   * Opens a call unless that id is there; answers what stood before, or null if it is now open. A `running` one with the
   * same body hash, started before `staleBefore`, is taken over (by one caller only).
   */
  openCall(id: string, bodyHash: string, at: number, staleBefore: number): Promise<IdempotentCall | null>;
  /** Keeps the answer of an open call; an unknown id does nothing. */
  closeCall(id: string, status: number, body: string): Promise<void>;
  /** Forgets an open call that failed; a closed one stays. */
  dropCall(id: string): Promise<void>;
  /** Forgets calls opened before then, running ones too; answers how many. */
  deleteCallsBefore(before: number): Promise<number>;

  /** Small named values of the installation (wrapped keys); `putSetting` keeps what is there and answers what stands. */
  setting(name: string): Promise<string | null>;
  putSetting(name: string, value: string): Promise<string>;
  /** Replaces a value that still is `from` (null: not there); answers whether it was. */
  replaceSetting(name: string, from: string | null, to: string): Promise<boolean>;
};
