import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { bundleShape } from '../../evidence/bundle.ts';
import type { EvidenceService } from '../../evidence/evidence-service.ts';
import { holds, type Route, route } from '../contract/route.ts';

type Deps = { evidence: EvidenceService };

/** Evidence of delivery, and the key by which it is verified offline (docs/security.md). */
export const evidenceRoutes = ({ evidence }: Deps): Route[] => [
  route({
    method: 'get',
    path: '/items/{id}/evidence',
    operationId: 'getEvidence',
    tag: 'Evidence',
    scope: 'publish',
    summary:
      'Signed evidence of an item: versions, approvals, rules, pushes, history; with `subscriber` (admin scope) what became of one person’s messages.',
    query: z.strictObject({ subscriber: z.string().min(1).max(100).optional() }),
    responses: { 200: bundleShape },
    audited: true,
    handler: async ({ params, query, caller }) => {
      if (query.subscriber !== undefined && !holds(caller, 'admin'))
        throw new AppError('no-scope', 'What one person got is for a key of scope admin.');
      return { status: 200, body: await evidence.ofItem(params.id, query.subscriber ?? null) };
    },
  }),
  route({
    method: 'get',
    path: '/evidence/key',
    operationId: 'getEvidenceKey',
    tag: 'Evidence',
    scope: 'public',
    summary: 'The public key (PEM) by which every bundle of this installation is verified.',
    responses: { 200: z.object({ key: z.string(), pem: z.string() }) },
    handler: async () => ({ status: 200, body: await evidence.publicKey() }),
  }),
];
