import { createConnection } from 'mongoose';
import { startSerialProxy } from './mongo-serial-proxy.ts';

/**
 * Once before all suites, in the process that starts the others: if `MONGODB_URI` names a FerretDB, all of them reach it
 * through one serial proxy, which goes with this process. A real MongoDB is used as it is.
 */
const prepareMongo = async (): Promise<void> => {
  const uri = process.env.MONGODB_URI;
  if (uri && (await isFerret(uri))) process.env.MONGODB_URI = (await startSerialProxy(uri)).uri;
};

const isFerret = async (uri: string): Promise<boolean> => {
  const connection = await createConnection(uri, { serverSelectionTimeoutMS: 10_000 }).asPromise();
  try {
    const info = await connection.getClient().db('admin').command({ buildInfo: 1 });
    return 'ferretdbVersion' in info;
  } finally {
    await connection.close();
  }
};

// vitest asks for a default export
export default prepareMongo;
