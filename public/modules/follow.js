// The follow form with notifications on this device: permission is asked only after the button was pressed.
import { able, isAllowed, sayWhy, showHomeScreen, subscription } from './push.js';

const form = document.querySelector('form[data-vapid]');
const choice = form?.querySelector('input[data-push]');

// Where the browser cannot do it, it is not offered.
if (choice && !able) choice.closest('.govuk-radios__item').hidden = true;
showHomeScreen();

const request = ({ endpoint, keys }) => {
  const entered = new FormData(form);
  const region = entered.get('region');
  const how = {
    pace: entered.get('pace') ?? 'immediate',
    channels: ['webPush', 'email', 'sms'],
    ...(region ? { regions: [region] } : {}),
  };
  const follow = JSON.parse(form.dataset.follow).map((target) => ({ ...target, ...how }));
  return { webPush: { endpoint, keys }, follow, locale: form.dataset.locale };
};

const followHere = async () => {
  if (!(await isAllowed())) return sayWhy('denied');
  const answer = await fetch('/api/v1/subscriptions', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(request(await subscription(form.dataset.vapid))),
  });
  if (!answer.ok) return sayWhy('failed');
  location.assign('/check?by=webPush');
};

if (choice && able) {
  form.addEventListener('submit', (event) => {
    if (!choice.checked) return;
    event.preventDefault();
    followHere().catch(() => sayWhy('failed'));
  });
}
