import type { mongo } from 'mongoose';
import type { SubscriptionStore } from '../../subscriptions/subscription-store.ts';
import { followsOver } from './people/follows.ts';
import { importsOver } from './people/imports.ts';
import { peopleOver } from './people/people.ts';
import { optOutsOver, wishesOver } from './people/wishes.ts';

/** People and what they follow over MongoDB. */
export const mongoSubscriptionStore = (db: mongo.Db): SubscriptionStore => {
  const { putFollows, follows, followerCounts } = followsOver(db);
  return {
    ...peopleOver(db),
    ...importsOver(db),
    ...wishesOver(db),
    ...optOutsOver(db),
    putFollows,
    follows,
    followerCounts,
  };
};
