import { Alert, Button, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type Asked, type Entry, type Found, type ListName, search } from "./calls";
import { Entries } from "./Entries";
import { NumberFields } from "./NumberFields";
import { Panel } from "./Panel";
import { RemoveDialog } from "./RemoveDialog";

/** Look one number up, and take it off the list. */
export function LookUp({ list }: { list: ListName }) {
  const say = useSay();
  const [asked, setAsked] = useState<Asked>({ number: "", region: null });
  const [removed, setRemoved] = useState<Entry | null>(null);
  const found = useMutation({ mutationFn: () => search(list, asked) });
  const change = (value: Asked) => {
    found.reset();
    setAsked(value);
  };
  return (
    <Panel title={say("numbers.look_up_title")}>
      <Stack
        as="form"
        gap={3}
        onSubmit={(event) => {
          event.preventDefault();
          found.mutate();
        }}
      >
        <NumberFields value={asked} onChange={change} />
        <Button
          type="submit"
          alignSelf="start"
          colorPalette="blue"
          loading={found.isPending}
          disabled={asked.number.trim() === ""}
        >
          {say("numbers.look_up")}
        </Button>
      </Stack>
      <div aria-live="polite">
        {found.isError && <Trouble error={found.error} what={say("numbers.look_up_failed")} />}
        {found.data && <Answer list={list} found={found.data} onRemove={setRemoved} />}
      </div>
      {removed && (
        <RemoveDialog
          list={list}
          asked={asked}
          entry={removed}
          onClose={() => setRemoved(null)}
          onDone={() => found.mutate()}
        />
      )}
    </Panel>
  );
}

type AnswerProps = { list: ListName; found: Found; onRemove: (entry: Entry) => void };

function Answer({ list, found, onRemove }: AnswerProps) {
  const say = useSay();
  const isOn = found.entries.some((one) => one.at !== null);
  return (
    <Stack gap={3}>
      {found.isErased && (
        <Alert.Root status="warning">
          <Alert.Indicator />
          <Alert.Description>{say("numbers.erased")}</Alert.Description>
        </Alert.Root>
      )}
      <Text fontWeight="medium">
        {say(`numbers.${list}_${isOn ? "is_on" : "is_off"}`, { phone: found.phone })}
      </Text>
      {found.entries.length > 0 && (
        <Entries
          list={list}
          entries={found.entries}
          label={say("numbers.look_up_title")}
          onRemove={onRemove}
        />
      )}
    </Stack>
  );
}
