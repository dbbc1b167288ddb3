/** The part of http_ece 1.2 that the tests use; the package has no types of its own. */
declare module 'http_ece' {
  import type { ECDH } from 'node:crypto';

  type Parameters = {
    version: 'aes128gcm';
    privateKey: ECDH;
    authSecret: string;
    dh?: string;
    salt?: string;
  };
  const ece: {
    encrypt(plain: Buffer, parameters: Parameters): Buffer;
    decrypt(cipher: Buffer, parameters: Parameters): Buffer;
  };
  export default ece;
}
