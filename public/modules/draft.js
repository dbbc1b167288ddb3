// What was typed and not sent stays with its tab: a reload, a wrong link or a session that has ended loses no text. It goes with the
// tab, and when somebody signs out (page.js).
const typedIn = (form) => {
  const fields = new FormData(form);
  // they belong to the form that is there, not to what was typed
  for (const name of ['_csrf', 'once']) fields.delete(name);
  return new URLSearchParams(fields).toString();
};

// `form` answers the form as it is now; `bring` puts fields back into it. Buttons that only change the form keep the draft.
export const keepDraft = (form, bring) => {
  const offer = document.querySelector('[data-draft]');
  if (!offer) return;
  const key = `draft ${location.pathname}`;
  const kept = sessionStorage.getItem(key);
  const forget = () => sessionStorage.removeItem(key);
  const answer = (act) => () => {
    offer.hidden = true;
    act();
  };
  offer.querySelector('[data-bring]').addEventListener(
    'click',
    answer(() => bring(new URLSearchParams(kept))),
  );
  offer.querySelector('[data-drop]').addEventListener('click', answer(forget));
  // a page that shows faults holds what was typed already
  offer.hidden = kept === null || kept === typedIn(form()) || document.querySelector('.govuk-error-summary') !== null;
  document.addEventListener('input', (event) => {
    if (event.target.form === form()) sessionStorage.setItem(key, typedIn(form()));
  });
  document.addEventListener('submit', (event) => {
    const { name, value } = event.submitter ?? {};
    if (event.target === form() && !(name === 'do' && /^(add|group|remove|refresh)/.test(value))) forget();
  });
};
