import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ComponentType } from "react";
import { isProblem } from "~/api/problem";
import { Words } from "~/words/Words";

/** What Airflow tells a component: where it stands. */
export type Place = { dagId?: string; runId?: string; taskId?: string; mapIndex?: string };

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the caller did wrong is wrong the second time too.
      retry: (times, error) => times < 2 && !(isProblem(error) && error.status < 500),
    },
    // A write that got no answer may have been done: a person decides whether to press again.
    mutations: { retry: false },
  },
});

/** Give *Page* what all of ours need: the words, and what was read already. */
export function inAirflow(Page: ComponentType<Place>): ComponentType<Place> {
  function Placed(place: Place) {
    return (
      <QueryClientProvider client={queries}>
        <Words>
          <div data-smsflow="root">
            <Page {...place} />
          </div>
        </Words>
      </QueryClientProvider>
    );
  }
  return Placed;
}
