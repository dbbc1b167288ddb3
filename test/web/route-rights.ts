/** Who may call a route: by its scopes (API), by its roles (pages of staff), or everybody, then by what else the route asks for. */
export type Right =
  | 'everybody'
  /** A citizen who is signed in, by their own cookie; staff are nobody here. */
  | 'citizen'
  /** Every member of staff who is signed in. */
  | 'staff'
  | { scopes: readonly string[] }
  | { roles: readonly string[] };

const everybody = `
  GET /api/v1/topics
  GET /api/v1/regions
  POST /api/v1/subscriptions
  POST /api/v1/subscriptions/confirm
  POST /api/v1/beacon
  GET /api/v1/items
  GET /api/v1/items/:id
  POST /api/v1/feedback
  GET /api/v1/openapi.json
  GET /api/v1/hooks/wechat
  POST /api/v1/hooks/wechat
  GET /api/v1/evidence/key
  GET /healthz
  GET /readyz
  GET /metrics
  GET /dev/outbox
  GET /dev/outbox/mail
  GET /c/:token
  GET /o/:token
  POST /u/:token
  POST /r/:token
  GET /problems/:code
  GET /staff/sign-in
  POST /staff/sign-in
  GET /staff/first/:token
  POST /staff/first/:token
  GET /staff/set-up/:token
  POST /staff/set-up/:token
  GET /staff/code
  POST /staff/code
  GET /favicon.ico
  GET /sw.js
  GET /beacon.js
  GET /manifest.webmanifest
  GET /language/:locale
  GET /
  GET /topics
  GET /topics/:slug
  GET /departments/:name
  GET /search
  GET /about
  GET /items/:id
  GET /feeds/latest/atom.xml
  GET /feeds/latest/feed.json
  GET /feeds/latest/calendar.ics
  GET /feeds/topics/:name/atom.xml
  GET /feeds/topics/:name/feed.json
  GET /feeds/topics/:name/calendar.ics
  GET /feeds/departments/:name/atom.xml
  GET /feeds/departments/:name/feed.json
  GET /feeds/departments/:name/calendar.ics
  GET /feeds/search/atom.xml
  GET /feeds/search/feed.json
  GET /feeds/search/calendar.ics
  GET /items/:id/cap.xml
  GET /rules
  GET /stay/:token
  POST /stay/:token
  POST /push/renew
  GET /offline
  GET /follow
  POST /follow
  GET /check
  GET /code
  POST /code
  GET /confirm/:token
  POST /confirm/:token
  GET /confirmed
  GET /manage
  POST /manage
  GET /manage/:token
  POST /manage/:token
  GET /goodbye
  POST /sign-out
  GET /u/:token
  POST /u/:token/stop
  GET /u/:token/stopped
  GET /f/:token
  POST /f/:token
  POST /f/:token/daily
  GET /f/:token/:choice
  GET /f/:token/:choice/thanks`;

const citizen = `
  POST /items/:id/opinions
  GET /my
  POST /my/follows/:id
  POST /my/follows/:id/stop
  GET /my/stop
  POST /my/stop
  GET /my/messages
  GET /my/settings
  POST /my/settings
  POST /my/settings/links
  POST /my/settings/as-before
  POST /my/addresses
  POST /my/addresses/browser
  GET /my/addresses/code
  POST /my/addresses/code
  POST /my/addresses/:id/remove
  GET /my/export
  GET /my/export.html
  GET /my/addresses/:id/change
  POST /my/addresses/:id/change
  POST /my/stay
  POST /my/about/interests/:topic
  GET /my/erase
  POST /my/erase
  POST /my/consent
  POST /my/consent/withdraw
  GET /my/about
  POST /my/about/interests/:topic/delete
  GET /my/about/facts
  POST /my/about/facts
  GET /my/wechat
  POST /my/wechat/code
  GET /my/wechat/authorise
  GET /my/wechat/authorised
  POST /my/wechat/bind
  GET /my/wechat/leave
  GET /my/wechat/left
  POST /my/wechat/:id/unbind`;

const staff = `
  GET /staff
  POST /staff/sign-out
  GET /staff/second-step
  POST /staff/second-step
  GET /staff/deadlines`;

const byScopes: Record<string, string> = {
  publish: `
    POST /api/v1/items
    PATCH /api/v1/items/:id
    POST /api/v1/items/import
    POST /api/v1/items/:id/submit
    POST /api/v1/items/:id/approve
    POST /api/v1/items/:id/reject
    POST /api/v1/items/:id/schedule
    POST /api/v1/items/:id/publish
    POST /api/v1/items/:id/correct
    POST /api/v1/items/:id/withdraw
    POST /api/v1/rules
    PUT /api/v1/rules/:id
    POST /api/v1/rules/:id/activate
    POST /api/v1/rules/:id/approve
    POST /api/v1/rules/:id/reject
    POST /api/v1/rules/:id/pause
    POST /api/v1/rules/:id/dry-run
    POST /api/v1/audience/preview
    POST /api/v1/audience/explain
    GET /api/v1/pushes
    POST /api/v1/pushes
    GET /api/v1/pushes/:id
    GET /api/v1/pushes/:id/events
    POST /api/v1/pushes/:id/pause
    POST /api/v1/pushes/:id/resume
    POST /api/v1/pushes/:id/cancel
    GET /api/v1/pushes/:id/deliveries
    GET /api/v1/items/:id/evidence
    GET /api/v1/items/:id/broadcast
    PUT /api/v1/items/:id/broadcast`,
  'publish analyse': `
    GET /api/v1/rules
    GET /api/v1/rules/:id`,
  analyse: `
    GET /api/v1/reports/deadlines
    GET /api/v1/reports/funnel
    GET /api/v1/reports/rules
    GET /api/v1/reports/coverage
    GET /api/v1/reports/satisfaction
    GET /api/v1/tuning/changes
    GET /api/v1/tuning/what-if`,
  events: `
    POST /api/v1/events
    POST /api/v1/hooks/email
    POST /api/v1/hooks/sms`,
  admin: `
    POST /api/v1/topics
    POST /api/v1/regions
    GET /api/v1/attributes
    POST /api/v1/attributes
    POST /api/v1/subscribers/import
    GET /api/v1/subscribers
    GET /api/v1/subscribers/:id
    PATCH /api/v1/subscribers/:id
    DELETE /api/v1/subscribers/:id
    POST /api/v1/deliveries/redrive
    GET /api/v1/applications
    POST /api/v1/applications
    GET /api/v1/applications/:id
    POST /api/v1/applications/:id/postpone
    POST /api/v1/applications/:id/answer
    POST /api/v1/applications/:id/forget
    GET /api/v1/opinions
    POST /api/v1/opinions/:id/answer
    POST /api/v1/opinions/:id/publish
    GET /api/v1/calendar
    PUT /api/v1/calendar/:year
    POST /api/v1/staff
    POST /api/v1/keys
    DELETE /api/v1/keys/:id
    POST /api/v1/tuning/changes/:id/apply
    POST /api/v1/tuning/changes/:id/undo
    POST /api/v1/webhooks
    GET /api/v1/webhooks
    GET /api/v1/webhooks/:id
    DELETE /api/v1/webhooks/:id
    GET /api/v1/webhooks/:id/deliveries
    POST /api/v1/webhooks/:id/replay
    POST /api/v1/sources
    GET /api/v1/sources
    GET /api/v1/sources/:id
    PATCH /api/v1/sources/:id
    DELETE /api/v1/sources/:id
    POST /api/v1/sources/test
    POST /api/v1/sources/:id/pause
    POST /api/v1/sources/:id/resume
    POST /api/v1/sources/:id/poll
    GET /api/v1/suppressions
    POST /api/v1/suppressions/find
    POST /api/v1/suppressions/:id/lift`,
};

const byRoles: Record<string, string> = {
  admin: `
    GET /staff/people
    POST /staff/people
    GET /staff/admin
    GET /staff/admin/accounts
    POST /staff/admin/accounts
    GET /staff/admin/accounts/:id
    POST /staff/admin/accounts/:id
    POST /staff/admin/accounts/:id/link
    POST /staff/admin/accounts/:id/sign-out
    GET /staff/admin/keys
    POST /staff/admin/keys
    POST /staff/admin/keys/revoke
    GET /staff/admin/dead-letters
    GET /staff/admin/dead-letters/:push
    POST /staff/admin/dead-letters/:push
    GET /staff/admin/webhooks
    POST /staff/admin/webhooks
    GET /staff/admin/webhooks/:id
    POST /staff/admin/webhooks/:id/replay
    POST /staff/admin/webhooks/:id/remove
    GET /staff/admin/audit
    POST /staff/admin/audit
    POST /staff/channels/:channel/try
    GET /staff/suppressions
    POST /staff/suppressions/find
    POST /staff/suppressions/lift
    GET /staff/applications/:id/forget
    POST /staff/applications/:id/forget
    GET /staff/calendar
    GET /staff/calendar/:year
    POST /staff/calendar/:year
    POST /staff/channels/wechat/test
    POST /staff/channels/weibo/test
    GET /staff/channels/weibo/connect
    GET /staff/channels/weibo
    POST /staff/channels/weibo
    POST /staff/channels/weibo/disconnect`,
  'publisher reviewer admin': `
    GET /staff/applications
    GET /staff/applications/new
    POST /staff/applications/new
    GET /staff/applications/:id
    POST /staff/applications/:id/postpone
    POST /staff/applications/:id/answer
    GET /staff/opinions
    GET /staff/opinions/:id
    POST /staff/opinions/:id/answer
    POST /staff/opinions/:id/publish
    GET /staff/items
    GET /staff/items/:id/mail/:locale
    POST /staff/items/:id/steps/:step
    GET /staff/items/:id
    GET /staff/rules
    GET /staff/rules/:id
    POST /staff/rules/:id/steps/:step
    GET /staff/pushes
    GET /staff/pushes/:id
    GET /staff/pushes/:id/events`,
  'publisher admin': `
    GET /staff/items/new
    POST /staff/items/new
    POST /staff/items/preview
    POST /staff/items/preview/:locale
    GET /staff/items/:id/edit
    POST /staff/items/:id/edit
    GET /staff/items/:id/correct
    POST /staff/items/:id/correct
    GET /staff/rules/new
    POST /staff/rules/new
    POST /staff/rules/audience
    GET /staff/rules/:id/edit
    POST /staff/rules/:id/edit
    POST /staff/rules/:id/why
    GET /staff/pushes/new
    POST /staff/pushes/new
    POST /staff/pushes/audience
    POST /staff/pushes/orders/:id
    POST /staff/pushes/:id/:step
    GET /staff/channels
    GET /staff/channels/items/:id
    POST /staff/channels/items/:id
    POST /staff/channels/items/:id/:version/again
    GET /staff/sources
    GET /staff/sources/new
    POST /staff/sources/new
    GET /staff/sources/:id
    POST /staff/sources/:id
    POST /staff/sources/:id/remove
    POST /staff/sources/:id/:step`,
  'publisher reviewer analyst admin': `
    GET /staff/feedback`,
  analyst: `
    GET /staff/reports
    GET /staff/reports/tuning
    GET /staff/reports/funnel
    GET /staff/reports/rules
    GET /staff/reports/coverage
    GET /staff/reports/satisfaction`,
};

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
const rows = (text: string, right: Right) => lines(text).map((route): [string, Right] => [route, right]);
const grouped = (groups: Record<string, string>, make: (names: string[]) => Right) =>
  Object.entries(groups).flatMap(([names, text]) => rows(text, make(names.split(' '))));

/** Every route of the service with all that can be configured, and who may call it. A route that is not here fails the test: decide who may, then write it down. */
export const routeRights: [string, Right][] = [
  ...rows(everybody, 'everybody'),
  ...rows(citizen, 'citizen'),
  ...rows(staff, 'staff'),
  ...grouped(byScopes, (scopes) => ({ scopes })),
  ...grouped(byRoles, (roles) => ({ roles })),
];
