import { mongoWebhookStore } from '../../src/storage/mongo/webhook-store.ts';
import { describeWithMongo, pairOnMongo } from '../helpers/open-mongo.ts';
import { describeWebhookStore } from './contract/webhook-contract.ts';

describeWithMongo('webhooks on MongoDB', () => {
  describeWebhookStore('MongoDB', pairOnMongo(mongoWebhookStore));
});
