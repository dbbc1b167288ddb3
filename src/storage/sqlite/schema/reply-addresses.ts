/** Of a reply address the look-up of the plain one, with which it is suppressed. */
export const replyAddressesSchema = 'ALTER TABLE addresses ADD COLUMN plain TEXT;';
