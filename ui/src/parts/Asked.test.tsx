import { ChakraProvider, defaultSystem } from "@chakra-ui/react";
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { Words } from "~/words/Words";
import { Asked } from "./Asked";

function Names({ ask }: { ask: () => Promise<string> }) {
  const query = useQuery({ queryKey: ["names"], queryFn: ask, retry: false });
  return (
    <Asked query={query} failed="The names cannot be listed">
      {(names) => <p>{names}</p>}
    </Asked>
  );
}

function show(ask: () => Promise<string>) {
  render(
    <ChakraProvider value={defaultSystem}>
      <QueryClientProvider client={new QueryClient()}>
        <Words>
          <Names ask={ask} />
        </Words>
      </QueryClientProvider>
    </ChakraProvider>,
  );
}

it("keeps the place, says why it failed, and asks again when it is told to", async () => {
  const answers = [Promise.reject({ title: "The store is away.", status: 503 })];
  show(() => answers.shift() ?? Promise.resolve("Ann, Bob"));

  expect(screen.getByRole("status").getAttribute("aria-busy")).toBe("true");
  expect((await screen.findByRole("alert")).textContent).toContain("The store is away.");
  fireEvent.click(screen.getByRole("button"));
  expect(await screen.findByText("Ann, Bob")).toBeTruthy();
  expect(screen.queryByRole("alert")).toBeNull();
});
