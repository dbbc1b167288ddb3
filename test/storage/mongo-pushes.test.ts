import { mongoPushStore } from '../../src/storage/mongo/push-store.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';
import { describePushStore } from './contract/push-store-contract.ts';

describeWithMongo('pushes and claims on MongoDB', () => {
  describePushStore(
    'MongoDB',
    async () => {
      const { handles, close } = await openMongoHandles(2);
      const [one, two] = handles.map(mongoPushStore);
      if (!one || !two) throw new Error('two handles were asked for');
      return { handles: [one, two], close };
    },
    { many: 2_000, races: 50 },
  );
});
