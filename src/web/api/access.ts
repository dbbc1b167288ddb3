import { z } from 'zod';
import type { AccessService } from '../../access/access-service.ts';
import { roles } from '../../access/access-store.ts';
import type { StaffService } from '../../access/staff-service.ts';
import { type Route, route } from '../contract/route.ts';
import { presentStaff } from '../present.ts';
import { scopeList, staffShape } from './shapes.ts';

export const staffBody = z.strictObject({
  email: z
    .string()
    .trim()
    .toLowerCase()
    .max(320)
    .pipe(z.email({ pattern: z.regexes.unicodeEmail })),
  name: z.string().trim().min(1).max(200),
  roles: z.array(z.enum(roles)).min(1).max(roles.length),
  departments: z.array(z.string().trim().min(1).max(200)).max(100).default([]),
});

const keyBody = z.strictObject({
  staff: z.string().min(1).max(100),
  scopes: scopeList,
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

const distinct = <T>(values: T[]): T[] => [...new Set(values)];

type Deps = { access: AccessService; staff: Pick<StaffService, 'mailSetUpLink'> };

/** Staff accounts and the keys that act as them. */
export const accessRoutes = ({ access, staff: signIns }: Deps): Route[] => [
  route({
    method: 'post',
    path: '/staff',
    operationId: 'addStaff',
    tag: 'Access',
    scope: 'admin',
    summary: 'Adds a staff account, and mails it a link by which a password is set.',
    body: staffBody,
    example: { email: 'li@example.org', name: 'Li', roles: ['publisher'], departments: ['housing'] },
    responses: { 201: staffShape },
    idempotent: true,
    handler: async ({ body }) => {
      const { email, name } = body;
      const account = { email, name, roles: distinct(body.roles), departments: distinct(body.departments) };
      const staff = await access.addStaff(account);
      await signIns.mailSetUpLink(staff.id);
      return { status: 201, body: presentStaff(staff), subject: staff.id };
    },
  }),
  route({
    method: 'post',
    path: '/keys',
    operationId: 'addKey',
    tag: 'Access',
    scope: 'admin',
    summary: 'Makes an API key that acts as a staff account; the key is shown this once.',
    body: keyBody,
    responses: { 201: z.object({ id: z.string(), key: z.string() }) },
    idempotent: true,
    check: async ({ expiresAt }) => (expiresAt === undefined ? [] : access.expiryFaults(Date.parse(expiresAt))),
    handler: async ({ body }) => {
      const expiresAt = body.expiresAt === undefined ? null : Date.parse(body.expiresAt);
      const made = await access.addKey({ staff: body.staff, scopes: distinct(body.scopes), expiresAt });
      return { status: 201, body: made, subject: made.id };
    },
  }),
  route({
    method: 'delete',
    path: '/keys/{id}',
    operationId: 'revokeKey',
    tag: 'Access',
    scope: 'admin',
    summary: 'Revokes a key at once.',
    responses: { 204: null },
    handler: async ({ params }) => {
      await access.revokeKey(params.id);
      return { status: 204 };
    },
  }),
];
