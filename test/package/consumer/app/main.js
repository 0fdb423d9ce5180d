import { session } from '../session.mjs';

window.session = session;
