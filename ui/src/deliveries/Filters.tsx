import { Button, HStack, Input, NativeSelect, Switch } from "@chakra-ui/react";
import { useEffect, useState } from "react";
import type { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { isFiltered, STATES, type Tab } from "./filters";

const PATIENCE_MS = 400;

type Props = {
  tab: Tab;
  address: URLSearchParams;
  change: ReturnType<typeof useAddress>[1];
};

/** The search and the filters; what is chosen stands in the address. */
export function Filters({ tab, address, change }: Props) {
  const say = useSay();
  const workflow = address.get("workflow");
  return (
    <HStack wrap="wrap" gap={3}>
      <Search given={address.get("q") ?? ""} onSearch={(q) => change({ q, before: null })} />
      {tab === "all" && address.get("grouped") === null && (
        <StateFilter
          value={address.get("state") ?? ""}
          onChange={(state) => change({ state, before: null })}
        />
      )}
      {tab === "all" && (
        <Switch.Root
          checked={address.get("grouped") === "yes"}
          onCheckedChange={({ checked }) =>
            change({ grouped: checked ? "yes" : null, before: null, workflow: null, state: null })
          }
        >
          <Switch.HiddenInput />
          <Switch.Control>
            <Switch.Thumb />
          </Switch.Control>
          <Switch.Label>{say("deliveries.grouped")}</Switch.Label>
        </Switch.Root>
      )}
      {workflow && <span>{say("deliveries.only_workflow", { workflow })}</span>}
      {isFiltered(address) && (
        <Button
          size="sm"
          variant="ghost"
          onClick={() => change({ q: null, workflow: null, state: null, before: null })}
        >
          {say("deliveries.clear")}
        </Button>
      )}
    </HStack>
  );
}

function Search({ given, onSearch }: { given: string; onSearch: (text: string) => void }) {
  const say = useSay();
  const [text, setText] = useState(given);
  // The way back, and Clear, change what is sought from outside.
  useEffect(() => setText((now) => (now.trim() === given ? now : given)), [given]);
  useEffect(() => {
    if (text.trim() === given) {
      return;
    }
    const timer = setTimeout(() => onSearch(text.trim()), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [text, given, onSearch]);
  return (
    <Input
      type="search"
      size="sm"
      width={{ base: "full", md: "20rem" }}
      maxLength={250}
      value={text}
      onChange={(event) => setText(event.target.value)}
      aria-label={say("deliveries.search")}
      placeholder={say("deliveries.search")}
    />
  );
}

function StateFilter({ value, onChange }: { value: string; onChange: (state: string) => void }) {
  const say = useSay();
  return (
    <NativeSelect.Root size="sm" width="14rem">
      <NativeSelect.Field
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-label={say("deliveries.state_filter")}
      >
        <option value="">{say("deliveries.any_state")}</option>
        {STATES.map((state) => (
          <option key={state} value={state}>
            {say(`states.${state}`)}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}
