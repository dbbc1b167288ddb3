import type { SubscriptionStore } from '../../subscriptions/subscription-store.ts';
import type { SqliteDatabase } from './database.ts';
import { definitionsOver, wishesOver } from './subscriptions/follows.ts';
import { importsOver } from './subscriptions/imports.ts';
import { peopleOver } from './subscriptions/people.ts';

/** People and what they follow over SQLite. */
export const sqliteSubscriptionStore = (db: SqliteDatabase): SubscriptionStore => ({
  ...peopleOver(db),
  ...importsOver(db),
  ...definitionsOver(db),
  ...wishesOver(db),
});
