import { Button, Field, Input, Stack, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { add, type ListName } from "./calls";
import { NumberFields } from "./NumberFields";
import { Panel } from "./Panel";

const NOTHING = { number: "", region: null, scope: "", reason: "" };

/** Put one number on the list. */
export function AddPanel({ list }: { list: ListName }) {
  const say = useSay();
  const queries = useQueryClient();
  const [given, setGiven] = useState<Parameters<typeof add>[1]>(NOTHING);
  const adding = useMutation({
    mutationFn: () => add(list, given),
    onSuccess: () => {
      setGiven({ ...NOTHING, region: given.region, scope: given.scope });
      return queries.invalidateQueries({ queryKey: ["numbers", list] });
    },
  });
  return (
    <Panel title={say(`numbers.${list}_add_title`)}>
      <Stack
        as="form"
        gap={3}
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate();
        }}
      >
        <NumberFields value={given} onChange={(asked) => setGiven({ ...given, ...asked })} />
        {list === "opt-outs" && (
          <Field.Root>
            <Field.Label>{say("numbers.scope")}</Field.Label>
            <Input
              value={given.scope}
              placeholder="sender:ACME"
              onChange={(event) => setGiven({ ...given, scope: event.target.value })}
            />
            <Field.HelperText>{say("numbers.scope_help")}</Field.HelperText>
          </Field.Root>
        )}
        <Field.Root>
          <Field.Label>{say("numbers.reason")}</Field.Label>
          <Input
            maxLength={200}
            value={given.reason}
            onChange={(event) => setGiven({ ...given, reason: event.target.value })}
          />
        </Field.Root>
        <Button
          type="submit"
          alignSelf="start"
          variant="outline"
          loading={adding.isPending}
          disabled={given.number.trim() === ""}
        >
          {say("numbers.add")}
        </Button>
      </Stack>
      <div aria-live="polite">
        {adding.isError && (
          <Trouble error={adding.error} what={say("numbers.add_failed")} isWrite />
        )}
        {adding.isSuccess && (
          <Text>{say(adding.data > 0 ? "numbers.added" : "numbers.was_on")}</Text>
        )}
      </div>
    </Panel>
  );
}
