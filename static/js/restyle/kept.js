// A painted mask survives a refresh: it is kept in this tab, under the picture it belongs to, until the tab is closed.

const PREFIX = "toile:mask:";
const MOST = 4;

export function keep(name, blob) {
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    const others = Object.keys(sessionStorage).filter((key) => key.startsWith(PREFIX) && key !== PREFIX + name);
    for (const old of others.slice(0, Math.max(0, others.length - MOST + 1))) sessionStorage.removeItem(old);
    try {
      sessionStorage.setItem(PREFIX + name, reader.result);
    } catch {
      sessionStorage.removeItem(PREFIX + name); // no room: better none than an old one
    }
  });
  reader.readAsDataURL(blob);
}

export function drop(name) {
  sessionStorage.removeItem(PREFIX + name);
}

/** The mask as a picture, or null. */
export async function kept(name) {
  const address = sessionStorage.getItem(PREFIX + name);
  if (!address) return null;
  const picture = new Image();
  picture.src = address;
  try {
    await picture.decode();
  } catch {
    return null;
  }
  return picture;
}
