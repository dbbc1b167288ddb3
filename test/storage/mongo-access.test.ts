import { mongoAccessStore } from '../../src/storage/mongo/access-store.ts';
import { mongoStaffSignInStore } from '../../src/storage/mongo/staff-sign-in-store.ts';
import { describeWithMongo, openMongoHandles, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeAccessStore } from './contract/access-contract.ts';
import { describeStaffSignInStore } from './contract/staff-sign-in-contract.ts';

describeWithMongo('access on MongoDB', () => {
  describeAccessStore('MongoDB', pairOnMongo(mongoAccessStore));
  describeStaffSignInStore('MongoDB', async () => {
    const { handles, close } = await openMongoHandles(2);
    const [one, two] = handles;
    if (!one || !two) throw new Error('two handles were asked for');
    const [store, second] = [mongoStaffSignInStore(one), mongoStaffSignInStore(two)];
    return { access: mongoAccessStore(one), store, second, close };
  });
});
