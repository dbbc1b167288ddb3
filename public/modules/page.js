// Runs on every page: GOV.UK Frontend's behaviour.
import { Button, createAll, ErrorSummary, PasswordInput } from './govuk-frontend.min.js';

document.body.classList.add('js-enabled', 'govuk-frontend-supported');
for (const component of [Button, ErrorSummary, PasswordInput]) createAll(component);
