import { IANAZone } from 'luxon';
import { z } from 'zod';
import type { Locale } from '../../catalogue/topic.ts';
import { followSchema, toFollowRequest } from '../../subscriptions/follow.ts';
import type { Contact } from '../../subscriptions/subscriber.ts';
import type { SignUpService } from '../../subscriptions/subscription-service.ts';
import { bestLocale, languageTag } from '../../text.ts';
import { type Route, route } from '../contract/route.ts';

export const timeZone = z
  .string()
  .max(100)
  .refine((zone) => IANAZone.isValidZone(zone), 'must be an IANA time zone');
export const locale = languageTag.describe(
  'A BCP 47 tag; kept is the language spoken here that fits it best, or that of the site (LOCALE) where none does.',
);
export const regionCode = z.string().trim().min(1).max(50);

/** The two values of a push subscription's keys (RFC 8291 section 3.1 and 3.2), base64 or base64url. */
const keyBytes = (count: number) =>
  z
    .string()
    .max(200)
    .refine((text) => Buffer.from(text, 'base64').length === count, `must be ${count} bytes of base64url`);

const webPush = z.strictObject({
  endpoint: z.url({ protocol: /^https?$/ }).max(2_000),
  keys: z.strictObject({ p256dh: keyBytes(65), auth: keyBytes(16) }),
  expirationTime: z.number().nullish().describe('Part of what a browser hands over; not used.'),
});

type Contacts = {
  email?: string | undefined;
  phone?: string | undefined;
  webPush?: z.output<typeof webPush> | undefined;
};

const contactNames = ['email', 'phone', 'webPush'] as const;

const namesOneContact = (body: unknown): boolean =>
  body !== null && typeof body === 'object' && contactNames.filter((name) => name in body).length === 1;

const signUpBody = z
  .strictObject({
    email: z.string().trim().min(3).max(320).optional(),
    phone: z.string().trim().min(3).max(40).optional(),
    webPush: webPush.optional(),
    follow: z
      .array(followSchema.meta({ id: 'Follow', description: 'Exactly one of topic, search and item.' }))
      .min(1)
      .max(100),
    locale: locale.optional(),
    region: regionCode.optional(),
    timeZone: timeZone.optional(),
  })
  // said beside the other faults, not only once they are mended
  .refine(namesOneContact, { message: 'must name exactly one of email, phone and webPush', when: () => true });

const contactOf = ({ email, phone, webPush }: Contacts): Contact => {
  if (email !== undefined) return { channel: 'email', email };
  if (phone !== undefined) return { channel: 'sms', phone };
  return {
    channel: 'webPush',
    endpoint: webPush?.endpoint ?? '',
    keys: { p256dh: webPush?.keys.p256dh ?? '', auth: webPush?.keys.auth ?? '' },
  };
};

const confirmBody = z.union([
  z.strictObject({ token: z.string().min(1).max(500) }),
  z.strictObject({ phone: z.string().trim().min(3).max(40), code: z.string().trim().min(1).max(20) }),
]);

/** Signing up and confirming: what anybody may call. */
export const subscriptionRoutes = ({
  signUps,
  locale: fallback,
}: {
  signUps: SignUpService;
  locale: Locale;
}): Route[] => [
  route({
    method: 'post',
    path: '/subscriptions',
    operationId: 'subscribe',
    tag: 'Subscriptions',
    scope: 'public',
    summary: 'Asks for a confirmation at an address; the answer is the same whether the address is known or not.',
    body: signUpBody,
    example: { email: 'li@example.org', follow: [{ topic: 'services', pace: 'daily' }], locale: 'en' },
    responses: { 202: z.object({ status: z.literal('confirmation-sent') }) },
    idempotent: true,
    limited: 'send',
    check: (parts) => signUps.faultsIn(parts),
    handler: async ({ body }) => {
      await signUps.request({
        contact: contactOf(body),
        follow: body.follow.map(toFollowRequest),
        locale: bestLocale(body.locale, fallback),
        region: body.region ?? null,
        timeZone: body.timeZone ?? null,
      });
      return { status: 202, body: { status: 'confirmation-sent' } };
    },
  }),
  route({
    method: 'post',
    path: '/subscriptions/confirm',
    operationId: 'confirmSubscription',
    tag: 'Subscriptions',
    scope: 'public',
    summary: 'Confirms a sign-up by the token of its link, or by phone number and code.',
    body: confirmBody,
    example: { phone: '+8613800138000', code: '123456' },
    responses: { 200: z.object({ status: z.literal('confirmed'), subscriber: z.string() }) },
    limited: 'guess',
    handler: async ({ body }) => {
      const { subscriber } =
        'token' in body ? await signUps.confirm(body.token) : await signUps.confirmCode(body.phone, body.code);
      return { status: 200, body: { status: 'confirmed', subscriber } };
    },
  }),
];
