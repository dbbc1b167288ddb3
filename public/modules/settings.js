// The settings: a button that has this browser notified, too. It fills in the form, which is then sent like any other.
import { able, isAllowed, sayWhy, subscription } from './push.js';

const form = document.getElementById('browser');

const addBrowser = async () => {
  if (!(await isAllowed())) return sayWhy('denied');
  const { endpoint, keys } = await subscription(form.dataset.vapid);
  for (const [name, value] of Object.entries({ endpoint, ...keys })) form.elements[name].value = value;
  form.submit();
};

// Where the browser cannot do it, it is not offered.
if (form && !able) form.hidden = true;
else
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    addBrowser().catch(() => sayWhy('failed'));
  });
