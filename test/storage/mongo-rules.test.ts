import { mongoRuleStore } from '../../src/storage/mongo/rule-store.ts';
import { describeWithMongo, openOnMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeRuleStore } from './contract/rule-store-contract.ts';

describeWithMongo('rules on MongoDB', () => {
  describeRuleStore('MongoDB', openOnMongo(mongoRuleStore), pairOnMongo(mongoRuleStore), { many: 1_000 });
});
