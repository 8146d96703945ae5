// Addresses to watch a stream by.
import {base, linkIn} from './format.js';

/** The page to watch a stream: with a signed link, where the server has one for this token. */
export async function watchPage(stream, token) {
  let link = '';
  try {
    if (token) {
      const response = await fetch(`${base}/api/watch/${stream}`, {method: 'POST', headers: {Authorization: `Bearer ${token}`}, signal: AbortSignal.timeout(5000)});
      if (response.ok) link = linkIn((await response.json()).url);
    }
  } catch {
    // The plain address says what is missing.
  }
  return `${base}/watch/${link}${stream}`;
}
