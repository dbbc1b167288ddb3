import { mongoAddressStore } from '../../src/storage/mongo/address-store.ts';
import { describeWithMongo, openMongoHandles } from '../helpers/open-mongo.ts';
import { describeAddressStore } from './contract/address-contract.ts';

describeWithMongo('addresses on MongoDB', () => {
  describeAddressStore('MongoDB', async () => {
    const { handles, close } = await openMongoHandles(2);
    const [one, two] = handles.map(mongoAddressStore);
    if (!one || !two) throw new Error('two handles were asked for');
    return { stores: [one, two], close };
  });
});
