import { useCallback } from "react";
import { useSearchParams } from "react-router-dom";

/**
 * Keep filters in the address, so that a page can be bookmarked and the way back works.
 *
 * Never a phone number: addresses are logged.
 */
export function useAddress(): [URLSearchParams, (changes: Record<string, string | null>) => void] {
  const [given, setGiven] = useSearchParams();
  const change = useCallback(
    (changes: Record<string, string | null>) =>
      setGiven((before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes)) {
          if (value === null || value === "") {
            after.delete(name);
          } else {
            after.set(name, value);
          }
        }
        return after;
      }),
    [setGiven],
  );
  return [given, change];
}
