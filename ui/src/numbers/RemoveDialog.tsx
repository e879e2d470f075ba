import { Alert, Checkbox, Field, Input, Stack, Text } from "@chakra-ui/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { type Asked, type Entry, type ListName, remove } from "./calls";

type Props = {
  list: ListName;
  asked: Asked;
  entry: Entry;
  onClose: () => void;
  onDone: () => void;
};

/** Ask why, and for a new consent of whoever wrote STOP, before a number may be texted again. */
export function RemoveDialog({ list, asked, entry, onClose, onDone }: Props) {
  const say = useSay();
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const [hasConsented, setHasConsented] = useState(false);
  const removal = { ...asked, scope: entry.scope ?? "", reason, hasConsented };
  const removing = useMutation({
    mutationFn: () => remove(list, removal),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["numbers", list] });
      onDone();
      onClose();
    },
  });
  return (
    <Confirm
      isOpen
      title={say(`numbers.${list}_remove_title`)}
      action={say(`numbers.${list}_remove_action`)}
      palette="red"
      isBusy={removing.isPending}
      isDisabled={reason.trim().length < 3 || (entry.isOwnWish && !hasConsented)}
      onConfirm={() => removing.mutate()}
      onClose={onClose}
    >
      <Stack gap={4}>
        <Text>{say(`numbers.${list}_remove_text`, { phone: entry.phone })}</Text>
        {entry.isOwnWish && (
          <Alert.Root status="warning">
            <Alert.Indicator />
            <Alert.Description>{say("numbers.own_wish_text")}</Alert.Description>
          </Alert.Root>
        )}
        <Field.Root required>
          <Field.Label>{say("numbers.reason")}</Field.Label>
          <Input
            maxLength={200}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
          <Field.HelperText>{say("numbers.reason_help")}</Field.HelperText>
        </Field.Root>
        {entry.isOwnWish && (
          <Checkbox.Root
            checked={hasConsented}
            onCheckedChange={({ checked }) => setHasConsented(checked === true)}
          >
            <Checkbox.HiddenInput />
            <Checkbox.Control />
            <Checkbox.Label>{say("numbers.consented")}</Checkbox.Label>
          </Checkbox.Root>
        )}
        {removing.isError && (
          <Trouble error={removing.error} what={say("numbers.remove_failed")} isWrite />
        )}
      </Stack>
    </Confirm>
  );
}
